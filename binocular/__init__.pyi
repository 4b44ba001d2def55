from .networks.build import build_network as build_network
from .networks.build import check_network as check_network
from .probes import response_grid as response_grid
from .probes import source_variance as source_variance
from .report.figures import figure_of as figure_of
from .report.figures.timeline import timeline_figure as timeline_figure
from .report.showing import stimulus_figure as stimulus_figure
from .runs.measuring import measure_study as measure_study
from .runs.notebook import rear as rear
from .runs.running import run_study as run_study
from .store.opening import open_study as open_study
from .store.study import load_study as load_study
from .store.verification import verify_study as verify_study

__version__: str
