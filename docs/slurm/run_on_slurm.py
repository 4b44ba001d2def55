"""Rear a study on a cluster with SLURM: Dask workers are SLURM jobs, ``binocular run`` joins them.

    python docs/slurm/run_on_slurm.py --jobs 20 --cores 16 deprivation-duration --out /shared/study --seeds 50

What is not an option of this script goes to ``binocular run`` as it is. ``--print`` shows the script of a worker's job
and submits nothing. Start it from the folder in which your own networks lie, if you have any, and where the workers see
the same files under the same paths. It has to live as long as the study takes: submit it with
``docs/slurm/run.sbatch``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import dask
from dask_jobqueue import SLURMCluster


def main() -> int:
    """Start the workers, run the study on them, stop them; return the exit code of ``binocular run``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=4, help="most jobs at a time")
    parser.add_argument("--cores", type=int, default=16, help="cores of a job; each rears one subject")
    parser.add_argument("--memory-per-core", type=float, default=2.0, help="GB")
    parser.add_argument("--walltime", default="04:00:00", help="of a job; work that outlasts it goes on in the next")
    parser.add_argument("--queue", help="partition")
    parser.add_argument("--account")
    parser.add_argument("--interface", help="network interface between the nodes, such as ib0")
    parser.add_argument("--gpu", action="store_true", help="one GPU and one worker to a job")
    parser.add_argument("--print", action="store_true", dest="show", help="show the job script, submit nothing")
    options, study = parser.parse_known_args()
    cores = 1 if options.gpu else options.cores
    hours, minutes, seconds = (int(part) for part in options.walltime.split(":"))
    # A worker hands over its work before SLURM ends its job, not all at the same moment.
    lifetime = max(60, hours * 3600 + minutes * 60 + seconds - 300)
    dask.config.set({"distributed.scheduler.allowed-failures": 20})  # a node that dies is not the subject's fault
    cluster = SLURMCluster(
        cores=cores,
        processes=cores,  # one thread each
        memory=f"{options.memory_per_core * cores:g}GB",
        walltime=options.walltime,
        queue=options.queue,
        account=options.account,
        interface=options.interface,
        job_extra_directives=["--gres=gpu:1"] if options.gpu else [],
        job_script_prologue=["export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1"],
        worker_extra_args=["--lifetime", f"{lifetime}s", "--lifetime-stagger", "120s"],
        log_directory="slurm-logs",
    )
    with cluster:
        if options.show:
            print(cluster.job_script())
            return 0
        cluster.adapt(minimum_jobs=1, maximum_jobs=options.jobs)
        command = [sys.executable, "-m", "binocular", "run", *study, "--dask", cluster.scheduler_address]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
