"""How well a model of ours does its job: metrics without anybody's weights, on scenes of known truth."""
