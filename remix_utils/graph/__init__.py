"""The computational graph, complete in itself."""
