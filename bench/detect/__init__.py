"""How well `kura inspect` tells files that were attacked from files that were not."""
