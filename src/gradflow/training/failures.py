"""Which failures may pass: the next attempt then goes on from the last complete epoch."""

import torch
from torch import distributed, multiprocessing

# Of the machine: memory, disk and network, devices, the connection between the processes of a run, a lost process.
_OF_THE_MACHINE = (
    MemoryError,
    OSError,
    torch.OutOfMemoryError,
    torch.AcceleratorError,
    distributed.DistError,
    multiprocessing.ProcessExitedException,
)
_WRONG_PATH = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)
# The same where torch raises a plain RuntimeError: of its allocator for CPUs, of cuBLAS and cuDNN, of gloo and NCCL,
# and what another process of the run has raised, as text.
_TEXTS = (
    *("out of memory", "can't allocate memory", "not enough memory", "MemoryError"),
    *("CUDA error", "CUBLAS_STATUS", "CUDNN_STATUS", "NCCL error"),
    *("Connection closed by peer", "Connection reset by peer", "Timed out waiting"),
    *("No space left on device", "Disk quota exceeded", "Input/output error", "Stale file handle"),
)
_ASSERTION = "device-side assert"  # a CUDA error that the code has caused


def may_pass(error: BaseException) -> bool:
    """Whether the machine has failed rather than the code.

    Memory, disk, network, device or a lost process may be there at the next attempt, and the code is what it was, so
    the run may go on from its last complete epoch. Any other error is taken for one of the code or the configuration:
    whoever mends it changes them, and epochs of before and after must not be mixed. A path that is not there, or is of
    the wrong kind, is such an error. What caused an error decides with it.
    """
    if isinstance(error, _WRONG_PATH) or _ASSERTION in str(error):
        return False
    if isinstance(error, _OF_THE_MACHINE):
        return True
    is_said = isinstance(error, RuntimeError | multiprocessing.ProcessRaisedException)
    if is_said and any(text in str(error) for text in _TEXTS):
        return True
    return error.__cause__ is not None and may_pass(error.__cause__)
