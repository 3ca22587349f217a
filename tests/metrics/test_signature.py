"""Signatures: text and record say the same, a wrong part is named, the hash depends on labels alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from avelzoo.errors import UsageError
from avelzoo.metrics import Signature, Truth, data_hash

FULL = "ave-test402|full|labels=annotations|sel=val|seeds=5|ci=video-bootstrap-10k|avelzoo=0.1.0|data=3f2a91bc"

names = st.one_of(st.just("?"), st.from_regex(r"\A[A-Za-z0-9_.+:/-]{0,9}[A-Za-z0-9_.+:/]\Z"))
counts = st.one_of(st.none(), st.integers(1, 10**9))


@settings(max_examples=50, deadline=None)
@given(
    st.builds(
        Signature,
        dataset=names,
        split=st.sampled_from(["train", "val", "test", "?"]),
        videos=counts,
        supervision=st.sampled_from(["full", "weak", "weak:onehot+neg", "weak:soft-duration", "none", "?"]),
        labels=st.sampled_from(["annotations", "labels", "right_labels", "?"]),
        selection=st.sampled_from(["val", "test", "last", "?"]),
        seeds=counts,
        interval=st.sampled_from(["video-bootstrap-10k", "seed+video-bootstrap-10k", "wilson", "none", "?"]),
        version=st.sampled_from(["0.1.0", "1.2.dev3+g1a2b", "?"]),
        data_hash=st.one_of(st.just("?"), st.from_regex(r"\A[0-9a-f]{8}\Z")),
    )
)
def test_text_and_record_say_the_same(signature: Signature) -> None:
    assert Signature.parse(str(signature)) == signature


def test_known_text() -> None:
    found = Signature.parse(FULL)
    assert (found.dataset, found.split, found.videos, found.seeds) == ("ave", "test", 402, 5)
    assert (found.selection, found.interval, found.data_hash) == ("val", "video-bootstrap-10k", "3f2a91bc")
    assert str(found) == FULL
    assert Signature.parse(FULL.replace("|", " | ")) == found
    unknown = Signature(version="?")
    assert str(unknown) == "?-??|?|labels=?|sel=?|seeds=?|ci=?|avelzoo=?|data=?"
    assert Signature.parse("ov-ave-test7" + FULL[11:]).dataset == "ov-ave"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("ave-test402", "ave", "data"),
        ("ave-test402", "ave-test", "data"),
        ("ave-test402", "a b-test402", "dataset"),
        ("ave-test402", "ave-test0", "videos"),
        ("|full|", "|fully|", "supervision"),
        ("labels=", "label=", "labels"),
        ("labels=annotations", "labels=", "labels"),
        ("sel=val", "sel=best", "selection"),
        ("seeds=5", "seeds=five", "seeds"),
        ("seeds=5", "seeds=-1", "seeds"),
        ("seeds=5", "seeds=\u0665", "seeds"),
        ("ci=video-bootstrap-10k", "ci=95 %", "interval"),
        ("avelzoo=0.1.0", "version=0.1.0", "avelzoo"),
        ("data=3f2a91bc", "data=3f2a", "data_hash"),
        ("data=3f2a91bc", "data=3F2A91BC", "data_hash"),
    ],
)
def test_a_wrong_part_is_named(old: str, new: str, named: str) -> None:
    assert old in FULL
    with pytest.raises(UsageError) as caught:
        Signature.parse(FULL.replace(old, new))
    assert named in caught.value.problem, caught.value
    assert caught.value.expected


@pytest.mark.parametrize("text", ["", "80.8", FULL + "|more", FULL.rpartition("|")[0]])
def test_a_wrong_number_of_parts(text: str) -> None:
    with pytest.raises(UsageError, match="wrong number of parts"):
        Signature.parse(text)


def test_a_constructor_checks_too() -> None:
    for wrong in ({"videos": 0}, {"seeds": True}, {"split": "test2"}, {"dataset": "ends-"}, {"data_hash": "x"}):
        with pytest.raises(UsageError):
            dataclasses.replace(Signature.parse(FULL), **wrong)  # type: ignore[arg-type]


def test_the_hash_depends_on_labels_alone() -> None:
    ids = ["x", "y", "x"]
    truth = Truth(segments=np.array([[0, 2], [2, 2], [1, 1]]), events=np.array([0, 1, 1]), categories=("Bark", "Bell"))
    first = data_hash(ids, truth)
    order = [2, 0, 1]
    renumbered = Truth(
        segments=np.array([1, 0, 2])[truth.segments][order],
        events=np.array([1, 0, 2])[truth.events][order],
        categories=("Bell", "Bark"),
    )
    assert data_hash([ids[i] for i in order], renumbered) == first
    assert len(first) == 8
    shorter = dataclasses.replace(truth, lengths=np.array([2, 1, 2]))
    moved = dataclasses.replace(truth, segments=np.array([[2, 0], [2, 2], [1, 1]]))
    other = dataclasses.replace(truth, events=np.array([0, 0, 1]))
    hashes = {first, data_hash(["x", "z", "x"], truth), *(data_hash(ids, one) for one in (shorter, moved, other))}
    assert len(hashes) == 5
