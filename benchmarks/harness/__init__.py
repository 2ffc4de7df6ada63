"""What every scenario stands on: servers, rounds, ratios, results and charts."""
