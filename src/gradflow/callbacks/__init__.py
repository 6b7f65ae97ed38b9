"""When to measure. What is measured is `gradflow.measure`'s business."""
