import inspect

import pytest

from audiodae import errors

CHILDREN = [
    child
    for _, child in inspect.getmembers(errors, inspect.isclass)
    if issubclass(child, errors.AudiodaeError) and child is not errors.AudiodaeError
]


@pytest.mark.parametrize("child", CHILDREN)
def test_each_child_is_ours_and_a_builtin(child):
    builtins = [base for base in child.__mro__ if base.__module__ == "builtins"]
    assert any(base not in (Exception, BaseException, object) for base in builtins)
    assert str(child("what and how to mend it")) == "what and how to mend it"
    assert child.__doc__


def test_one_line():
    assert errors.one_line("a\n b\tc\x07d é") == "a b c d é"
