"""Networks whose depth, width and activation can be changed independently, as plain torch.nn.Modules."""
