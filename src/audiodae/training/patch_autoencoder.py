"""The patch autoencoder: stages one within the other, each an encoding layer and the decoding layer that mirrors it.

::

    patch -> encode 0 -> encode 1 -> ... -> code
    patch <- decode 0 <- decode 1 <- ... <--'

A stage can be trained by itself (greedy pre-training): its decoder gives back what its encoder was given. The last
stage makes the code. Patches have shape (patches, rows, columns), float32 in [0, 1]; codes (patches, code_width).
"""

import math
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Self

from torch import Tensor, nn

from audiodae.errors import TrainingError
from audiodae.training.family_recipe import FamilyRecipe, decode_family_recipe, encode_family_recipe
from audiodae.training.run_folder import read_checkpoint, write_checkpoint
from audiodae.training.stages import Stage, build_stages

MODEL = "model.safetensors"  # in a run folder
LARGEST_LOG_VARIANCE = 10.0  # e^10: a code that knows nothing; beyond, a young network overflows


class PatchAutoencoder(nn.Module):
    """Stages put together; see `build_patch_autoencoder`. Use `.eval()` before using, as `load` does.

    Attributes
    ----------
    recipe : FamilyRecipe, of the run that made it
    shape : (rows, columns) of its patches
    code_width : int, values of a code
    """

    def __init__(
        self, stages: Iterable[Stage], *, recipe: FamilyRecipe, shape: tuple[int, int], code_width: int
    ) -> None:
        super().__init__()
        self.stages: Sequence[Stage] = nn.ModuleList(stages)  # type: ignore[assignment]  # it does not tell of what
        self.recipe, self.shape, self.code_width = recipe, shape, code_width

    def posterior(self, patches: Tensor) -> tuple[Tensor, Tensor | None]:
        """Codes, and for a variational code the logarithms of their variances: both (patches, code_width)."""
        features = patches
        for stage in self.stages:
            features = stage.encode(features)
        if not self.recipe.code.variational:
            return features, None
        mean, log_variance = features.chunk(2, dim=1)
        return mean, log_variance.clamp(-LARGEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE)

    def encode(self, patches: Tensor) -> Tensor:
        """Codes of patches, shape (patches, code_width); of a variational code the mean."""
        return self.posterior(patches)[0]

    def decode(self, codes: Tensor) -> Tensor:
        """Patches of codes, shape (patches, rows, columns)."""
        features = codes
        for stage in reversed(self.stages):
            features = stage.decode(features)
        return features

    def forward(self, patches: Tensor) -> Tensor:
        """What the network makes of patches, the same shape."""
        return self.decode(self.encode(patches))

    def save(self, path: Path) -> None:
        """Write weights, recipe and shape to one safetensors file, complete or not at all."""
        facts = {"recipe": encode_family_recipe(self.recipe), "shape": self.shape}
        write_checkpoint(path, self.state_dict(), facts)

    @classmethod
    def load(cls, source: str | Path) -> Self:
        """Load a network, ready to use; see `find_patch_autoencoder`.

        Raises
        ------
        TrainingError
            There is none, or the file is damaged or no patch autoencoder.
        """
        path = find_patch_autoencoder(source)
        tensors, facts = read_checkpoint(path)
        try:
            recipe = decode_family_recipe(facts["recipe"], source=str(path))
            rows, columns = (int(size) for size in facts["shape"])
            network = cls.build(recipe, (rows, columns))
            network.load_state_dict(tensors)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise TrainingError(f"{path}: no patch autoencoder that can be read ({error})") from error
        return network.eval()

    @classmethod
    def build(cls, recipe: FamilyRecipe, shape: tuple[int, int]) -> Self:
        """Put a network together as the recipe says, with fresh random weights (seed torch first)."""
        stages, features = build_stages(recipe.body, recipe.code, shape)
        return cls(stages, recipe=recipe, shape=shape, code_width=recipe.code.width or math.prod(features))


def shipped_patch_autoencoders() -> dict[str, Path]:
    """The patch autoencoders that come with audiodae, name to file."""
    folder = Path(str(resources.files("audiodae"))) / "models"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def find_patch_autoencoder(source: str | Path) -> Path:
    """Find the file of a patch autoencoder.

    Parameters
    ----------
    source : name of a shipped one, a file, or a run folder

    Raises
    ------
    TrainingError
        There is no such name, file or run; the message lists the names.
    """
    shipped = shipped_patch_autoencoders()
    if str(source) in shipped:
        return shipped[str(source)]
    path = Path(source)
    if path.is_dir() and (path / MODEL).is_file():
        return path / MODEL
    if path.is_file():
        return path
    names = ", ".join(shipped) or "none"
    raise TrainingError(
        f"{source}: no patch autoencoder, neither a file, a run folder nor shipped (these are: {names})"
    )
