"""What can be told of a stem whose events are known: is it in sync, and does it leave other objects out?"""

from __future__ import annotations

from collections.abc import Sequence

from sound_pictures import Samples

from exporter.evaluation.matching import false_hits, match
from exporter.evaluation.onsets import find_onsets


def measured(
    samples: Samples, *, rate: int, own: Sequence[float], others: Sequence[float]
) -> tuple[tuple[str, str], ...]:
    """Names and values for the page; nothing where no event is known.

    Args:
        samples: the stem, `[n]`.
        rate: of the samples.
        own: seconds of the marked object's events, ascending.
        others: seconds of other objects' events.
    """
    if not own:
        return ()
    found = find_onsets(samples, rate=rate)
    counts = match(found, tuple(own))
    hits = false_hits(found, others=tuple(others), own=tuple(own))
    facts = [
        (
            "events heard",
            f"{len(counts.errors)} of {counts.there} within 50 ms; {counts.found} onsets in all",
        ),
    ]
    if counts.errors:
        middle = sorted(abs(one) for one in counts.errors)[len(counts.errors) // 2]
        facts.append(("median distance to the picture", f"{1000 * middle:.0f} ms"))
    if hits.judged:
        facts.append(("other objects' events heard", f"{hits.hit} of {hits.judged}"))
    return tuple(facts)
