"""Benchmarks that take minutes: whole studies, and growth with subjects, seeds, units, image size and workers.

They are not installed; in the source tree ``python -m benchmarks`` measures them, or those named. `binocular.bench`
holds those that a user runs, and how a record is kept and shown.
"""

from binocular.bench.base import Case

CASES = (
    Case("beside-rearing", "benchmarks.studies:beside_rearing", "main experiment: not learning", "%", "at most", 15),
    Case("memory", "benchmarks.studies:memory", "peak of memory of a run, most seeds", "MB", "at most", 2000),
    Case("page-faults", "benchmarks.studies:page_faults", "page faults of a step, memory kept", "", "at most", 100),
    Case("scaling-subjects", "benchmarks.scaling:subjects", "power of growth with subjects", "", "at most", 1.1),
    Case("scaling-seeds", "benchmarks.scaling:seeds", "power of growth with seeds, whole study", "", "at most", 1.1),
    Case("scaling-units", "benchmarks.scaling:units", "power of growth with channels", "", "at most", 2.0),
    Case("scaling-size", "benchmarks.scaling:image_size", "power of growth with the image's side", "", "at most", 2.2),
    Case("scaling-workers", "benchmarks.scaling:workers", "rearing on 2 Dask workers, over 1", "x", "at least", 1.5),
)
"""All cases, in the order in which they are measured."""
