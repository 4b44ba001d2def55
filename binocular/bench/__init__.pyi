from .registry import CASES as CASES
from .running import run_benchmarks as run_benchmarks
