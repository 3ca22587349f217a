"""An extraction from its request to the data folder."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from avelzoo.components import LauncherConfig
from avelzoo.data.reading.features_record import FeatureSource
from avelzoo.data.reading.layout import AUDIO, VISUAL
from avelzoo.errors import StorageError, UsageError
from avelzoo.extraction.assembling import Content, assemble
from avelzoo.extraction.inputs import VideoFile, find_videos, locate
from avelzoo.extraction.jobs import OnVideo, Runner, task_of
from avelzoo.extraction.journal import Journal
from avelzoo.extraction.labels import label
from avelzoo.extraction.locking import alone, claimed
from avelzoo.extraction.record import Record
from avelzoo.extraction.request import ExtractionRequest
from avelzoo.extraction.result import ExtractionResult
from avelzoo.extraction.splits import assign, sizes
from avelzoo.extraction.table import TableRow, read_table
from avelzoo.extraction.throughput import Throughput
from avelzoo.extractors import Extractor, ExtractorConfig, recipe_id
from avelzoo.plugin.default import as_default
from avelzoo.plugin.host import PluginHost

AGAIN = "free some space, or choose a folder that you may write to with --out; then repeat the command"


def extract(
    request: ExtractionRequest, *, host: PluginHost, launcher: LauncherConfig, on_video: OnVideo | None = None
) -> ExtractionResult:
    """Extract features of videos into a data folder, continuing an earlier call with the same settings.

    Args:
        request: what to extract.
        host: host of the extractors.
        launcher: launcher of the jobs.
        on_video: called after each video.

    Raises:
        UsageError: a name or value is invalid, or the folder holds another extraction.
        DataError: the table or weights are wrong.
        RunError: another process extracts into the folder.
        StorageError: the folder cannot be written.
    """
    began = time.perf_counter()
    try:
        found = _extract(request, host, launcher, on_video)
    except StorageError as error:
        error.fix = AGAIN
        raise
    return replace(found, seconds=time.perf_counter() - began)


def _extract(
    request: ExtractionRequest, host: PluginHost, launcher: LauncherConfig, on_video: OnVideo | None
) -> ExtractionResult:
    configs = request.features.configs(host.registry)
    table = read_table(request.table) if request.table else None
    videos = _videos(request, table)
    features = replace(request.features.resolved(), seconds=float(request.features.seconds))
    with as_default(host):
        visual, audio = features.build(host.registry)
    sources = (
        _source(host, VISUAL, configs[0], visual),
        _source(host, AUDIO["vggish"], configs[1], audio),
    )
    journal = Journal(request.out)
    journal.begin(
        {
            "visual": dict(visual.recipe),
            "audio": dict(audio.recipe),
            "seconds": features.seconds,
            "segments": features.segments,
        }
    )
    with claimed(journal.path, request.shard):
        if request.shard.of == 1:
            journal.clear()
        tasks = [task_of(video, by_content=request.by_content) for video in videos]
        own = request.shard.part(tasks)
        runner = Runner(replace(request, features=features), journal, host, launcher, on_video)
        launched = time.perf_counter()
        resumed = runner.run(own)
        launched = time.perf_counter() - launched
    records = {task.video.name: task.missing or journal.record(task.key) for task in tasks}
    mine = {task.video.name: records[task.video.name] for task in own}
    done = {name: record for name, record in records.items() if record is not None}
    result = ExtractionResult(
        out=str(request.out),
        videos=len(own),
        extracted=sum(record is not None and not record.failed for record in mine.values()),
        failed={name: record.reason for name, record in mine.items() if record is not None and record.failed},
        statuses=dict(Counter(record.status for record in mine.values() if record is not None and not record.failed)),
        resumed=resumed,
        waiting=len(records) - len(done),
        recipes=(sources[0].recipe_id, sources[1].recipe_id),
        seconds=0.0,
        throughput=_throughput(runner, launched),
    )
    return result if result.waiting else _assembled(request, journal, table, done, sources, result=result)


def _throughput(runner: Runner, seconds: float) -> Throughput | None:
    read = [record.duration for record in runner.read if not record.failed]
    if not read:
        return None
    return Throughput(videos=len(read), video_seconds=sum(read), seconds=seconds, stages=runner.times.seconds)


def _videos(request: ExtractionRequest, table: Sequence[TableRow] | None) -> list[VideoFile]:
    if table is not None and request.table is not None:
        return locate([row.video for row in table], request.table, request.videos)
    if not request.videos:
        raise UsageError("no videos are named", expected="files or folders, or --table FILE.csv")
    return find_videos(request.videos)


def _source(host: PluginHost, file: str, config: ExtractorConfig, extractor: Extractor) -> FeatureSource:
    entry = host.registry.entry_of(config)
    assert entry is not None, "extractors are found in the registry"
    recipe = dict(extractor.recipe)
    return FeatureSource(
        file=file, extractor=entry.qualified, options=config.to_dict(), recipe=recipe, recipe_id=recipe_id(recipe)
    )


def _assembled(
    request: ExtractionRequest,
    journal: Journal,
    table: Sequence[TableRow] | None,
    records: Mapping[str, Record],
    sources: tuple[FeatureSource, FeatureSource],
    *,
    result: ExtractionResult,
) -> ExtractionResult:
    """Write the final files, unless another shard is about to do so."""
    extracted = {name: record for name, record in records.items() if not record.failed}
    seconds = float(request.features.seconds)
    labelled, splits = None, {}
    rows = list(extracted.values())
    if table is not None:
        splits = assign(table, request.shares, request.split_seed)
        labelled = label(table, extracted, splits, seconds)
        rows = [extracted[row.video] for row in labelled.rows]
        result = replace(result, categories=len(labelled.categories), left_out=labelled.left_out)
    if not rows:
        return result
    content = Content(
        rows=rows, labelled=labelled, seconds=seconds, visual=sources[0], audio=sources[1], videos=records
    )
    with alone(journal.path) as free:
        if not free:  # another shard has just finished too, and writes them
            return result
        assemble(request.out, journal, content)
    used = {name: split for name, split in splits.items() if name in extracted}
    return replace(
        result,
        rows=len(rows),
        segments=max(row.segments for row in rows),
        splits=sizes(used) if used else {},
    )
