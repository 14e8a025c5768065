"""What people upload, kept within bounds while it arrives."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler

MOST_BYTES = 5 * 2**20


class KeepTheFirstBytes(FileUploadHandler):
    """The first of the handlers: of a file only so much is passed on that it is known to be too big.

    A refusal here would be a bare error page; so the form gets the beginning, and says what is wrong beside its field.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data if start <= MOST_BYTES else None

    def file_complete(self, file_size: int) -> Any:
        return None
