"""What can be seen of the process from outside: probes, metrics, logs, traces."""
