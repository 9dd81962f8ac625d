"""Gives memory back to the system that the start has used and no longer needs."""

import ctypes


def give_back() -> None:
    """Let glibc give back what is free amid what is used; by itself it does so only at the end of its heap.

    Other C libraries have no such function and are left as they are.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
