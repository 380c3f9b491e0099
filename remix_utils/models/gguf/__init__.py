"""GGUF files, which hold a model whole: configuration, quantised weights and tokenizer."""
