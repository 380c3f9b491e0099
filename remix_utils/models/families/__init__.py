"""The shapes of causal models from elsewhere that become ours: one file each, one line in `hub`."""
