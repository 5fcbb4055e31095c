import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

import audiodae as package
from audiodae import cli
from audiodae.cli import COMMANDS, EXTRAS
from audiodae.errors import NetworkError
from tests.cli.process import COMMAND, audiodae


def loaded_by(*arguments):
    """Which modules a command line imports."""
    code = (
        "import sys\nfrom audiodae.cli import main\ntry:\n    main(sys.argv[1:])\n"
        "except SystemExit: pass\nprint('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES ")[2].split())


def test_help_lists_all_commands_and_ends_in_an_example():
    done = audiodae("--help")
    assert done.returncode == 0 and done.stderr == ""
    for name, text in COMMANDS.items():
        assert f"  {name}" in done.stdout and text in done.stdout
    assert done.stdout.endswith("Example:\n    audiodae clean noisy.wav clean.wav\n")


@pytest.mark.parametrize("arguments", [["--help"], ["clean", "--help"], ["info", "--help"], ["stream", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    loaded = loaded_by(*arguments)
    assert "audiodae.cli" in loaded  # negative control: the list is one
    assert not loaded & {"torch", "torchaudio", "librosa", "matplotlib", "scipy", "rich", "onnx"}


@pytest.mark.parametrize("name", ["clean", "info", "stream"])
def test_each_help_ends_in_an_example(name):
    _, found, examples = audiodae(name, "--help").stdout.partition("\n  Example")
    assert found
    assert all(f"audiodae {name} " in line for line in examples.splitlines()[1:])


def test_version():
    done = audiodae("--version")
    assert done.stdout == f"audiodae {package.__version__}\n"
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project.get("version", package.__version__) == package.__version__


@pytest.mark.parametrize("arguments", [["nope"], ["clean"], ["clean", "a.wav", "b.wav", "--mix", "2"], ["--nope"]])
def test_wrong_usage_is_two(arguments):
    done = audiodae(*arguments)
    assert done.returncode == 2 and done.stdout == "" and "Error: " in done.stderr


def run_failing(error, monkeypatch, capsys, name="train"):
    """Run the command line with a command that fails so."""

    @click.command()
    def broken():
        raise error

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda self, ctx, cmd_name: broken)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as caught:
        cli.main([name])
    return caught.value.code, capsys.readouterr().err


@pytest.mark.parametrize("name", EXTRAS)
def test_a_missing_library_names_its_extra(name, monkeypatch, capsys):
    code, err = run_failing(ModuleNotFoundError("No module", name="torch.nn"), monkeypatch, capsys, name)
    assert (code, err) == (1, f'audiodae: `audiodae {name}` needs torch.nn: pip install "audiodae[{EXTRAS[name]}]"\n')


def test_a_library_missing_at_import_names_its_extra(tmp_path):
    """As it is where torch is not installed: the import is blocked."""
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    code = "import sys; sys.path.insert(0, sys.argv[1]); from audiodae.cli import main; main(['export', 'a', 'b'])"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr == 'audiodae: `audiodae export` needs torch: pip install "audiodae[train]"\n'


def test_a_bug_keeps_its_traceback(monkeypatch, capsys):
    for error in (ZeroDivisionError(), ModuleNotFoundError("x", name="audiodae.nowhere")):
        with pytest.raises(type(error)):
            run_failing(error, monkeypatch, capsys)


def test_our_errors_are_one_line(monkeypatch, capsys):
    code, err = run_failing(NetworkError("first\nsecond \x1b[31mred"), monkeypatch, capsys)
    assert (code, err) == (1, "audiodae: first second  [31mred\n")


def test_an_interrupt_is_130_and_one_line(monkeypatch, capsys):
    # The empty line is click's, so that ours does not stand behind the terminal's ^C.
    assert run_failing(KeyboardInterrupt(), monkeypatch, capsys) == (130, "\naudiodae: interrupted\n")


def test_a_reader_that_goes_away_is_no_traceback():
    shell = f"{' '.join(COMMAND)} --help | true"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""
