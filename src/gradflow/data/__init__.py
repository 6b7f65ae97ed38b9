"""Data sets as arrays in memory, their splits, the batch loader and the LightningDataModule."""
