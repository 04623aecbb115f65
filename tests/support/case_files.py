"""Cases from outside: a sample kept here, and the whole collection where it lies beside the repository."""

from pathlib import Path

_HERE = Path(__file__).parent
_SAMPLES, _COLLECTION = _HERE / "cases", _HERE.parents[2] / "shared" / "cases"


def case_files(name: str) -> list[Path]:
    """The files of this name: the sample, then the collection's where it is there."""
    return [
        file for file in (_SAMPLES / name, _COLLECTION / name) if file == _SAMPLES / name or file.is_file()
    ]
