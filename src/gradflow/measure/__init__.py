"""What is measured: tensors in, numbers out. Callbacks decide when."""
