"""Programs that measure: each prints its figures with the baseline beside it, from the same run."""
