"""What is wrong with the networks of a study, by stated rules, and what helps. Reads run folders only."""
