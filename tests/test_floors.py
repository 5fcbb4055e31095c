"""The floors of the house, read from the imports: who may use whom, and what the light half may need."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "audiodae"
MAX_LINES = 400

# A module stands on the floor of the longest name that fits it, and imports audiodae only from floors below, or from
# its own package.
FLOORS = {
    "errors": 0,
    "whole_file": 1,
    "workers": 1,
    "limits": 1,
    "presets": 1,
    "markdown_table": 1,
    "frames": 1,
    "onnx_graph": 1,
    "onnx_types": 2,
    "card": 1,
    "audio_format": 1,
    "audio_header": 1,
    "c_output": 1,
    "ffmpeg": 2,
    "audio": 3,
    "network_contract": 2,
    "network": 3,
    "live_stream": 2,
    "series_stream": 4,
    "levels": 2,
    "plots": 2,
    "wav_stream": 2,
    "denoiser": 5,
    "pipes": 4,
    "files": 6,
    "series_plots": 3,
    "series": 7,
    "sandbox": 7,
    "folders": 8,
    "": 7,  # audiodae itself: the public names
    "prep": 9,
    "evaluation": 10,
    "training": 10,
    "uses": 11,
    "comparison": 11,
    "cli": 12,
    "__main__": 13,
}

# What else than Python's own library a module of the light half imports, at its top or inside a function.
LIGHT = {
    "errors": set(),
    "whole_file": set(),
    "frames": {"numpy"},
    "onnx_graph": set(),
    "onnx_types": set(),
    "card": set(),
    "audio_format": {"numpy", "soundfile"},
    "audio_header": set(),
    "c_output": set(),
    "ffmpeg": {"numpy"},
    "audio": {"soundfile"},
    "network_contract": set(),
    "network": {"numpy", "onnxruntime"},
    "live_stream": {"numpy"},
    "series_stream": {"numpy"},
    "levels": {"numpy"},
    "denoiser": {"numpy"},
    "wav_stream": {"numpy"},
    "pipes": set(),
    "files": {"numpy"},
    "workers": set(),
    "limits": set(),
    "presets": set(),
    "sandbox": set(),
    "folders": set(),
    "folders.clean": set(),
    "folders.done_list": set(),
    "folders.plan": set(),
    "folders.sounds": set(),
    "series": set(),
    "series.clean": {"numpy"},
    "series.csv_cells": {"numpy"},
    "series.csv_layout": set(),
    "series.csv_numbers": {"numpy"},
    "series.csv_reader": {"numpy"},
    "series.csv_time": {"numpy"},
    "series.csv_writer": {"numpy"},
    "series.edf": {"numpy"},
    "series.extras": set(),
    "series.formats": set(),
    "series.npy": {"numpy"},
    "series.npz": {"numpy"},
    "series.parquet": {"numpy"},
    "series.reading": {"numpy"},
    "series.time_stamps": {"numpy"},
    "series.wfdb_header": set(),
    "series.wfdb_record": {"numpy"},
    "series.writing": {"numpy"},
    "": set(),
    "__main__": set(),
    "cli": {"click"},
    "cli.__main__": set(),
    "cli.options": {"click"},
    "cli.clean": {"click"},
    "cli.clean_folder": {"click", "rich"},
    "cli.clean_series": {"click"},
    "cli.info": {"click", "numpy"},
    "cli.progress": {"rich"},
    "cli.report_folder": set(),
    "cli.training_bar": {"rich"},
    "cli.stream": {"click", "numpy"},
}
# The commands that need an extra; their module may be loaded only when the command is called.
COMMANDS_WITH_EXTRAS = {
    f"cli.{name}"
    for name in (
        *("ablate", "anomaly", "augment", "benchmark", "compare", "encode"),
        *("evaluate", "evaluate_asr", "evaluate_ecg", "export", "finetune", "robustness", "search", "train"),
    )
}
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
PICKLE_CALLS = {("torch", "load"), ("torch", "save"), ("np", "load"), ("numpy", "load")}


def module_name(path):
    """The dotted name within audiodae; "" for audiodae itself."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


def imports(source):
    """Full dotted names that a source text imports, with whether it does so at its top; `from a import b` gives a.b."""
    tree = ast.parse(source)
    top = {id(node) for node in ast.walk(ast.Module([*_outside_functions(tree)], []))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the floor"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, id(node) in top


def _outside_functions(tree):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in tree.body if not isinstance(node, (*functions, ast.ClassDef))]


def own_imports(source):
    """Modules of audiodae that a source text imports, as names within audiodae."""
    for name, _ in imports(source):
        head, *rest = name.split(".")
        if head != "audiodae":
            continue
        while rest and ".".join(rest) not in MODULES:
            rest = rest[:-1]  # the last part is a thing within the module
        yield ".".join(rest)


def foreign_imports(source):
    """Packages that are neither audiodae's nor Python's own, with whether they are imported at the top."""
    for name, at_top in imports(source):
        package = name.split(".")[0]
        if package != "audiodae" and package not in sys.stdlib_module_names:
            yield package, at_top


def floor(module):
    """The floor of the longest name that fits."""
    while module not in FLOORS:
        assert module.count("."), f"{module} has no floor: add it to FLOORS"
        module = module.rpartition(".")[0]
    return FLOORS[module]


def same_package(module, other):
    return module != "" and module.split(".")[0] == other.split(".")[0]


def floor_breaks(module, source):
    """What a module imports from its own floor or above."""
    return [
        other
        for other in own_imports(source)
        if floor(other) >= floor(module) and not same_package(module, other) and other != module
    ]


def light_breaks(module, source):
    """What a module of the light half imports that it should not."""
    found = {package for package, _ in foreign_imports(source)} - LIGHT[module]
    return found | {"rich at its top" for package, at_top in foreign_imports(source) if package == "rich" and at_top}


def pickle_breaks(source):
    """Imports of picklers and calls that unpickle."""
    found = [name for name, _ in imports(source) if name.split(".")[0] in PICKLES]
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else None
        safe = any(k.arg == "allow_pickle" and getattr(k.value, "value", True) is False for k in node.keywords)
        if (owner, node.func.attr) in PICKLE_CALLS and not safe:
            found.append(f"{owner}.{node.func.attr}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    assert floor_breaks(module, MODULES[module].read_text()) == []


@pytest.mark.parametrize(
    ("module", "source", "broken"),
    [
        ("frames", "from audiodae.denoiser import Denoiser", ["denoiser"]),
        ("denoiser", "def f():\n    import audiodae.prep", ["prep"]),
        ("ffmpeg", "from audiodae import network", ["network"]),
        ("prep.made_up", "from audiodae.training import recipe", ["training"]),
        ("network", "from audiodae import Denoiser", [""]),
        ("network", "from audiodae.errors import NetworkError", []),
        ("training.made_up", "from audiodae.training import recipe", []),
    ],
)
def test_a_made_up_module_is_caught(module, source, broken, monkeypatch):
    for name in ("prep", "training"):
        monkeypatch.setitem(MODULES, name, SOURCE / name)
    assert [other.partition(".")[0] for other in floor_breaks(module, source)] == broken


@pytest.mark.parametrize("module", [module for module in MODULES if module.split(".")[0] in {*LIGHT}])
def test_the_light_half_stays_light(module):
    if module in COMMANDS_WITH_EXTRAS:
        return
    assert module in LIGHT, f"{module} is new in the light half: say in LIGHT what it imports"
    assert light_breaks(module, MODULES[module].read_text()) == set()
    assert not {
        other
        for other in own_imports(MODULES[module].read_text())
        if floor(other) in range(FLOORS["prep"], FLOORS["cli"])
    }


def test_a_made_up_weight_is_caught():
    assert light_breaks("frames", "def f():\n    import torch.nn") == {"torch"}
    assert light_breaks("cli.progress", "from rich.console import Console") == {"rich at its top"}
    assert light_breaks("cli.progress", "def f():\n    from rich.console import Console") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["clean", "--help"], ["info", "--help"], ["stream", "--help"]])
def test_the_light_commands_load_nothing_heavy(arguments):
    program = (
        "import sys\n"
        "from audiodae.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE.parent)}
    command = [sys.executable, "-c", program, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    loaded = set(run.stdout.splitlines()[-1].split())
    heavy = {"torch", "torchaudio", "librosa", "matplotlib", "scipy", "rich", "onnx", "msgspec"}
    assert "click" in loaded
    assert loaded & heavy == set()


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_unpickled(module):
    assert pickle_breaks(MODULES[module].read_text()) == []


def test_a_made_up_pickle_is_caught():
    assert pickle_breaks("import pickle") == ["pickle"]
    assert pickle_breaks("def f(path):\n    from joblib import load") == ["joblib.load"]
    assert pickle_breaks("torch.load(path, weights_only=True)") == ["torch.load"]
    assert pickle_breaks("np.load(path, allow_pickle=True)") == ["np.load"]
    assert pickle_breaks("np.load(path, allow_pickle=False)") == []


@pytest.mark.parametrize("module", MODULES)
def test_a_file_holds_one_idea(module):
    assert len(MODULES[module].read_text().splitlines()) <= MAX_LINES
