from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avelzoo.builtin.encoders.configs import STFusionConfig
from avelzoo.builtin.memory.configs import FeatureBankConfig, JsdBankConfig, LazyBankConfig, RandomBankConfig
from avelzoo.channels import AUDIO_LOGITS, VISUAL_LOGITS
from avelzoo.nn import jensen_shannon
from avelzoo.records import Batch, Targets
from tests.models.worlds import SPEC, make_batch, make_targets

ENCODER = STFusionConfig(width=8, heads=2, feedforward=12, dropout=0.0, input_dropout=0.0)
PAPER = JsdBankConfig(size=3)
OFFICIAL = JsdBankConfig(
    size=3,
    unfilled="zeros",
    background_videos="category-0",
    candidates="best",
    duplicates="audio-sum",
    refresh_scores=False,
)
BANKS = {
    "paper": PAPER,
    "official": OFFICIAL,
    "independent": replace(PAPER, context="independent"),
    "independent zeros": replace(PAPER, context="independent", unfilled="zeros"),
    "frozen": replace(PAPER, refresh_scores=False),
    "random": RandomBankConfig(size=3),
    "features": FeatureBankConfig(size=3),
}


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return ENCODER.build(SPEC)


def build(config, encoder, supervision="full"):
    torch.manual_seed(1)
    return config.build(SPEC, encoder.widths, supervision)


def observe(memory, encoder, batch, targets):
    return memory.observe(encoder(batch.audio, batch.visual), batch, targets)


class NaiveBank:
    """The bank of sec. 3.4.2 as lists: category -> [(score, row, position)], best first."""

    def __init__(self, size, *, best_only):
        self.size, self.best_only, self.content = size, best_only, {}

    def update(self, batch, targets, unimodal, *, supervised):
        jsd = jensen_shannon(unimodal[AUDIO_LOGITS], unimodal[VISUAL_LOGITS]).detach()
        for i in range(batch.audio.shape[0]):
            category = int(targets.event[i])
            if category == targets.background:
                continue
            scored = []
            for t in range(batch.audio.shape[1]):
                bonus = float(targets.relevance[i, t]) if supervised else 0.0
                scored.append((1 - float(jsd[i, t]) + bonus, int(batch.rows[i]), t))
            offered = [max(scored, key=lambda s: s[0])] if self.best_only else scored
            for entry in offered:
                mine = self.content.setdefault(category, [])
                if any(entry[1:] == old[1:] for old in mine):
                    continue
                mine.append(entry)
                mine.sort(key=lambda s: -s[0])
                del mine[self.size :]


@pytest.mark.parametrize("supervision", ["full", "weak"])
@pytest.mark.parametrize("config", [PAPER, OFFICIAL], ids=["paper", "official"])
def test_updates_equal_a_list_that_is_sorted_and_cut(config, supervision, encoder):
    memory = build(config, encoder, supervision)
    naive = NaiveBank(config.size, best_only=config.candidates == "best")
    for step in range(5):
        batch = make_batch(seed=step % 3, first_row=4 * (step % 3))
        targets = make_targets(weak=supervision == "weak", seed=step % 3)
        with torch.no_grad():  # a network that changes, so that scores of a repeated segment do too
            memory.classifiers.audio.weight += 0.1 * step
        unimodal = observe(memory, encoder, batch, targets)
        naive.update(batch, targets, unimodal, supervised=supervision == "full")
    batches = {row: make_batch(seed=row // 4, first_row=4 * (row // 4)) for row in range(12)}
    for category, entries in naive.content.items():
        for slot, (score, row, position) in enumerate(entries):
            assert float(memory.slots.score[category, slot]) == pytest.approx(score, rel=1e-6)
            assert torch.equal(memory.slots.audio[category, slot], batches[row].audio[row % 4, position])
            assert torch.equal(memory.slots.visual[category, slot], batches[row].visual[row % 4, position])
        assert int(memory.slots.filled[category].sum()) == len(entries)


@pytest.mark.parametrize("config", BANKS.values(), ids=BANKS.keys())
@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_reading(config, supervision, encoder):
    memory = build(config, encoder, supervision)
    empty = memory.read(encoder)
    assert empty.items.shape == (SPEC.n, 3, 8)
    assert torch.isfinite(empty.items).all()
    unimodal = observe(memory, encoder, make_batch(), make_targets(weak=supervision == "weak"))
    assert unimodal[AUDIO_LOGITS].shape == unimodal[VISUAL_LOGITS].shape == (4, 6, SPEC.n)
    view = memory.read(encoder)
    assert view.filled.any()
    assert torch.isfinite(view.prototypes()).all()
    if memory.embeddings.stores_features:
        view.items.sum().backward()
        assert all(p.grad is not None for p in encoder.fusion.parameters())
    else:
        assert not view.items.requires_grad


@pytest.mark.parametrize("config", BANKS.values(), ids=BANKS.keys())
def test_capacity_and_detachment(config, encoder):
    memory = build(config, encoder)
    for step in range(4):
        observe(memory, encoder, make_batch(seed=step, first_row=4 * step), make_targets(seed=step))
    assert all(not buffer.requires_grad for buffer in memory.buffers())
    scores = memory.slots.score
    assert (scores[:, :-1] >= scores[:, 1:]).all()
    filled = memory.slots.filled
    assert (filled[:, :-1] | ~filled[:, 1:]).all()


def test_content_survives_a_checkpoint(encoder):
    memory = build(PAPER, encoder)
    observe(memory, encoder, make_batch(), make_targets())
    other = build(PAPER, encoder)
    other.load_state_dict(memory.state_dict())
    encoder.eval()
    assert torch.equal(memory.read(encoder).items, other.read(encoder).items)


def test_unfilled_slots_are_seen_by_nobody(encoder):
    """A category with two filled slots of three reads as the same two slots in a bank of two."""
    encoder.eval()
    batch = make_batch(1, 2)
    targets = Targets(event=torch.tensor([1]), presence=torch.ones(1), segments=torch.tensor([[1, 1]]), background=4)
    views = {}
    for size in (2, 3):
        memory = build(replace(PAPER, size=size), encoder)
        observe(memory, encoder, batch, targets)
        views[size] = memory.read(encoder)
    assert views[3].filled.tolist()[1] == [True, True, False]
    torch.testing.assert_close(views[3].items[1, :2], views[2].items[1])
    torch.testing.assert_close(views[3].prototypes()[1], views[2].prototypes()[1])
    assert views[3].usable.tolist() == [False, True, False, False]


def test_zeros_count_where_the_public_code_lets_them(encoder):
    encoder.eval()
    memory = build(OFFICIAL, encoder)
    view = memory.read(encoder)
    assert view.filled.all()
    zeros = encoder(torch.zeros(1, 3, SPEC.audio_dim), torch.zeros(1, 3, *SPEC.grid, SPEC.visual_dim)).fused
    torch.testing.assert_close(view.items, zeros.expand_as(view.items))


def test_sequence_context_is_one_video_per_category_and_independent_is_none(encoder):
    encoder.eval()
    batch, targets = make_batch(), make_targets()
    sequence, alone = build(PAPER, encoder), build(replace(PAPER, context="independent"), encoder)
    for memory in (sequence, alone):
        observe(memory, encoder, batch, targets)
    category = int(targets.event[0])
    count = int(sequence.slots.filled[category].sum())
    audio, visual = (sequence.slots.payload(name)[category, :count].clone() for name in ("audio", "visual"))
    torch.testing.assert_close(
        sequence.read(encoder).items[category, :count], encoder(audio[None], visual[None]).fused[0]
    )
    torch.testing.assert_close(
        alone.read(encoder).items[category, :count], encoder(audio[:, None], visual[:, None]).fused[:, 0]
    )


@pytest.mark.parametrize(("config", "category_0"), [(PAPER, False), (OFFICIAL, True)], ids=["paper", "official"])
def test_background_videos(config, category_0, encoder):
    memory = build(config, encoder, "weak")
    targets = Targets(event=torch.full((4,), SPEC.n), presence=torch.zeros(4), segments=None, background=SPEC.n)
    observe(memory, encoder, make_batch(), targets)
    assert bool(memory.slots.filled[0].any()) is category_0
    assert not memory.slots.filled[1:].any()


def test_identical_videos_enter_once_by_audio_sum(encoder):
    memory = build(OFFICIAL, encoder.eval())
    one = make_batch(1)
    twice = replace(one, audio=one.audio.repeat(2, 1, 1), visual=one.visual.repeat(2, 1, 1, 1, 1), rows=torch.arange(2))
    targets = make_targets(1)
    targets = replace(
        targets, event=targets.event.repeat(2), presence=torch.ones(2), segments=targets.segments.repeat(2, 1)
    )
    observe(memory, encoder, twice, targets)
    assert int(memory.slots.filled.sum()) == 1


def test_a_video_that_is_in_a_batch_twice_enters_once(encoder):
    memory = build(replace(PAPER, size=64), encoder.eval())
    batch, targets = make_batch(), make_targets()
    again = torch.tensor([0, 1, 0, 2, 1])
    batch = Batch(audio=batch.audio[again], visual=batch.visual[again], rows=batch.rows[again])
    targets = replace(
        targets, event=targets.event[again], presence=targets.presence[again], segments=targets.segments[again]
    )
    for _ in range(2):
        observe(memory, encoder, batch, targets)
        keys = memory.slots.key[memory.slots.filled].tolist()
        assert len(keys) == len(set(keys)) == 3 * 6


def test_only_the_leading_share_of_a_batch_feeds_the_bank(encoder):
    memory = build(replace(PAPER, update_fraction=0.5, size=64), encoder)
    observe(memory, encoder, make_batch(), make_targets())
    rows = memory.slots.key[memory.slots.filled] >> 20
    assert set(rows.tolist()) == {0, 1}


def test_scores_are_frozen_unless_refreshed(encoder):
    for refresh in (False, True):
        memory = build(replace(PAPER, refresh_scores=refresh), encoder)
        observe(memory, encoder, make_batch(), make_targets())
        before = memory.slots.score.clone()
        with torch.no_grad():
            memory.classifiers.audio.weight *= -5
        memory.read(encoder)
        assert torch.equal(memory.slots.score, before) is not refresh


def test_a_refreshed_bank_takes_what_the_current_encoder_rates_higher(encoder):
    """Entries of early steps, whose uni-modal classifiers agree on nothing, do not stay for good."""
    kept = {}
    for refresh in (False, True):
        memory = build(replace(PAPER, refresh_scores=refresh), encoder)
        with torch.no_grad():
            memory.classifiers.audio.weight.zero_(), memory.classifiers.visual.weight.zero_()
        observe(memory, encoder, make_batch(), make_targets())
        first = set(memory.slots.key[memory.slots.filled].tolist())
        with torch.no_grad():
            torch.manual_seed(5)
            memory.classifiers.audio.weight.normal_(), memory.classifiers.visual.weight.normal_()
        memory.read(encoder)
        batch = make_batch()
        observe(memory, encoder, replace(batch, rows=batch.rows + 100), make_targets())
        kept[refresh] = first & set(memory.slots.key[memory.slots.filled].tolist())
    assert len(kept[True]) < len(kept[False])


def test_a_weak_bank_ranks_by_the_estimated_relevance(encoder):
    memory = build(replace(PAPER, weak_score="jsd+relevance", size=2), encoder, "weak")
    targets = make_targets()
    estimate = torch.zeros_like(targets.relevance)
    estimate[:, 3:5] = 0.9
    weak = replace(targets, segments=None, estimate=estimate)
    unimodal = observe(memory, encoder, make_batch(), weak)
    jsd = jensen_shannon(unimodal[AUDIO_LOGITS], unimodal[VISUAL_LOGITS]).detach()
    filled = memory.slots.filled
    for key, score in zip(memory.slots.key[filled].tolist(), memory.slots.score[filled].tolist(), strict=True):
        row, position = key >> 20, key & 0xFFFFF
        assert position in (3, 4)
        assert score == pytest.approx(1 - float(jsd[row, position]) + 0.9, rel=1e-5)


def test_without_an_estimate_a_weak_bank_scores_by_agreement(encoder):
    targets = replace(make_targets(), segments=None)
    scores = []
    for config in (PAPER, replace(PAPER, weak_score="jsd+relevance")):
        memory = build(config, encoder, "weak")
        observe(memory, encoder, make_batch(), targets)
        scores.append(memory.slots.score.clone())
    assert torch.equal(*scores)


def test_random_bank_takes_event_segments_and_turns_over(encoder):
    memory = build(RandomBankConfig(size=3), encoder)
    seen = set()
    for seed in range(6):
        batch, targets = make_batch(), make_targets()
        torch.manual_seed(seed)
        observe(memory, encoder, batch, targets)
        keys = memory.slots.key[memory.slots.filled]
        for key in keys.tolist():
            assert targets.relevance[key >> 20, key & 0xFFFFF] == 1
        seen.add(tuple(sorted(keys.tolist())))
    assert len(seen) > 1


def test_feature_bank_keeps_features_as_they_were(encoder):
    encoder.eval()
    memory = build(FeatureBankConfig(size=64), encoder)
    batch, targets = make_batch(), make_targets()
    fused = encoder(batch.audio, batch.visual).fused
    observe(memory, encoder, batch, targets)
    view = memory.read(encoder)
    for category, slot in memory.slots.filled.nonzero().tolist():
        key = int(memory.slots.key[category, slot])
        torch.testing.assert_close(view.items[category, slot], fused[key >> 20, key & 0xFFFFF])


def test_a_lazy_bank_of_every_step_is_the_exact_one_without_gradient(encoder):
    encoder.eval()  # the same encoding twice
    lazy, exact = build(LazyBankConfig(size=3, every=1), encoder), build(PAPER, encoder)
    exact.load_state_dict(lazy.state_dict(), strict=False)
    for step in range(3):
        for memory in (lazy, exact):
            observe(memory, encoder, make_batch(seed=step, first_row=4 * step), make_targets(seed=step))
        got, want = lazy.read(encoder), exact.read(encoder)
        assert torch.allclose(got.items[got.filled], want.items[want.filled], atol=1e-6)
        assert torch.equal(got.filled, want.filled)
        assert not got.items.requires_grad
        assert want.items.requires_grad


def test_a_lazy_bank_encodes_every_kth_step_and_always_in_evaluation(encoder):
    memory = build(LazyBankConfig(size=3, every=3), encoder)
    calls = []

    def encode(audio, visual):
        calls.append(len(audio))
        return encoder(audio, visual)

    encoded_in = []
    for step in range(1, 8):
        observe(memory, encoder, make_batch(seed=step, first_row=4 * step), make_targets(seed=step))
        calls.clear()
        memory.read(encode)
        if calls:
            encoded_in.append(step)
    assert encoded_in == [3, 6]
    memory.eval()
    stale = memory.slots.payload("fused").clone()
    memory.read(encode)
    assert calls
    assert torch.equal(memory.slots.payload("fused"), stale)


def test_a_lazy_banks_new_entry_has_the_embedding_of_its_own_video(encoder):
    encoder.eval()
    memory = build(LazyBankConfig(size=3, every=100), encoder)
    batch, targets = make_batch(), make_targets()
    observe(memory, encoder, batch, targets)
    fused = encoder(batch.audio, batch.visual).fused
    view = memory.read(encoder)
    checked = 0
    for category, slot in memory.slots.filled.nonzero().tolist():
        key = int(memory.slots.key[category, slot])
        row, position = key >> 20, key & (2**20 - 1)
        index = batch.rows.tolist().index(row)
        assert torch.allclose(view.items[category, slot], fused[index, position])
        checked += 1
    assert checked > 0
