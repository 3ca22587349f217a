"""Compression filters of HDF5: those that an array needs, and whether they are installed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module

import h5py

from avelzoo.errors import DataError

_NAMES: Mapping[int, str] = {
    4: "SZIP",
    305: "LZO",
    307: "bzip2",
    32000: "LZF",
    32001: "Blosc",
    32002: "MAFISC",
    32003: "Snappy",
    32004: "LZ4",
    32008: "Bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32017: "SZ",
    32018: "FCIDECOMP",
    32019: "JPEG",
    32024: "SZ3",
    32026: "Blosc2",
    32028: "SPERR",
}
"""Filter numbers registered with the HDF Group; a file may state its own name for a filter."""
_PLUGIN = {307, 32001, 32004, 32008, 32013, 32015, 32017, 32018, 32024, 32026, 32028}  # in hdf5plugin


def filters_of(array: h5py.Dataset) -> dict[int, str]:
    """Filters that reading this array needs: number to name."""
    plist = array.id.get_create_plist()
    found = (plist.get_filter(i) for i in range(plist.get_nfilters()))
    return {code: _NAMES.get(code) or name.decode(errors="replace") for code, _, _, name in found}


def require_filters(filters: Mapping[int, str], where: str) -> None:
    """Load the filters needed for reading; importing hdf5plugin registers its filters.

    Raises:
        DataError: a filter is not installed.
    """
    missing = _missing(filters)
    if missing & _PLUGIN:
        try:
            import_module("hdf5plugin")
        except ImportError:
            pass
        else:
            missing = _missing(missing)
    if not missing:
        return
    named = ", ".join(f"{filters[code]} (filter {code})" if filters[code] else f"filter {code}" for code in missing)
    get = "`pip install hdf5plugin`, which contains it" if missing <= _PLUGIN else "install the plugin for HDF5"
    raise DataError(
        "an array needs a compression filter that is not installed",
        where=where,
        found=named,
        expected="no compression, or a filter that h5py can read: gzip, LZF, shuffle",
        fix=f"{get}; or write the file again without it where it is installed (`h5repack -f NONE IN OUT`)",
    )


def _missing(codes: Collection[int]) -> set[int]:
    return {code for code in codes if not _can_decode(code)}


def _can_decode(code: int) -> bool:
    if not h5py.h5z.filter_avail(code):
        return False
    return bool(h5py.h5z.get_filter_info(code) & h5py.h5z.FILTER_CONFIG_DECODE_ENABLED)
