"""The networks in torch: one file per network, one flat dataclass of dimensions each."""
