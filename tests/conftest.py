"""What holds for all tests: they do not depend on the shell, the machine's speed or the user's settings."""

import os
import signal

from hypothesis import settings

# A shell without job control starts what it puts in the background with Ctrl-C ignored, and children inherit that:
# commands that a test interrupts would go on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.pop("AUDIODAE_MODEL", None)

# No deadline: a busy machine is not a bug. The same examples each time where nobody looks for new ones.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")
