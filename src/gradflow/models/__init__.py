"""Networks whose depth, width and activation can be changed alone, as plain torch.nn.Modules."""
