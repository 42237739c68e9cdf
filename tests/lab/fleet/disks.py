"""Block devices for hosts: sparse files behind loop devices (loop(4)), which the kernel ends."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path

_LOOP_CONFIGURE = 0x4C0A
_LOOP_CTL_GET_FREE = 0x4C82
_AUTOCLEAR = 4


class Disk:
    """An empty disk of so many bytes. It exists while somebody has it open: we, or a mount."""

    def __init__(self, file: Path, size: int) -> None:
        with file.open("wb") as backing:
            backing.truncate(size)
        self.path, self._held = _attach(file)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._held)


def _attach(file: Path) -> tuple[str, int]:
    backing = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        while True:
            with open("/dev/loop-control", "rb+", buffering=0) as control:
                number = fcntl.ioctl(control, _LOOP_CTL_GET_FREE)
            path = f"/dev/loop{number}"
            device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(device, _LOOP_CONFIGURE, _config(backing, file))
            except OSError as error:
                os.close(device)
                # Somebody else was faster.
                if error.errno != errno.EBUSY:
                    raise
            else:
                return path, device
    finally:
        os.close(backing)


def _config(backing: int, file: Path) -> bytes:
    """struct loop_config with its loop_info64, as linux/loop.h has them."""
    name = str(file).encode()[-63:]
    info = struct.pack("=QQQQQIIII64s64s32s2Q", *(0,) * 8, _AUTOCLEAR, name, b"", b"", 0, 0)
    return struct.pack("=II", backing, 0) + info + bytes(64)
