"""What every strategy shares: stages that resume, checkpoints, averages, guards, validation."""
