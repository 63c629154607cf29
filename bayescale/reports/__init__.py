"""The report: what a posterior answers, on one page that needs nothing else."""
