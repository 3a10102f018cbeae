"""One Euler step as a graph, so that the state need not leave the GPU: the bytes of two ONNX files.

They do what `flow.guide` and `flow.euler` do, operator for operator, so that both ways give the same bits:

    guided:  v = g * velocity[0] + rest * velocity[1];  next = x + dt * v;  fed = [next; next]
    plain:   next = x + dt * velocity;                  fed = next

`x`, `next` `[1, N, C]`, `velocity`, `fed` `[B, N, C]`, the numbers `[1]`, all float32; opset 18. `rest` is
`1 - g`. A test builds them from these lines and compares.
"""

from __future__ import annotations

import base64

GUIDED = base64.b64decode(
    "CAgSADqOAwpBCgh2ZWxvY2l0eRIGd2FudGVkEgVvdGhlciIFU3BsaXQqCwoEYXhpcxgAoAECKhIKC251bV9vdXRwdXRzGAKgAQIK"
    "EwoBZwoGd2FudGVkEgFhIgNNdWwKFQoEcmVzdAoFb3RoZXISAWIiA011bAoOCgFhCgFiEgF2IgNBZGQKDwoCZHQKAXYSAWQiA011"
    "bAoRCgF4CgFkEgRuZXh0IgNBZGQKJgoEbmV4dAoEbmV4dBIDZmVkIgZDb25jYXQqCwoEYXhpcxgAoAECEgRzdGVwWhwKAXgSFwoV"
    "CAESEQoFEgNvbmUKAxIBbgoDEgFjWiQKCHZlbG9jaXR5EhgKFggBEhIKBhIEcm93cwoDEgFuCgMSAWNaEAoCZHQSCgoICAESBAoC"
    "CAFaDwoBZxIKCggIARIECgIIAVoSCgRyZXN0EgoKCAgBEgQKAggBYh8KBG5leHQSFwoVCAESEQoFEgNvbmUKAxIBbgoDEgFjYh8K"
    "A2ZlZBIYChYIARISCgYSBHJvd3MKAxIBbgoDEgFjQgQKABAS"
)
PLAIN = base64.b64decode(
    "CAgSADrrAQoWCgJkdAoIdmVsb2NpdHkSAWQiA011bAoRCgF4CgFkEgRuZXh0IgNBZGQKIAoEbmV4dBIDZmVkIgZDb25jYXQqCwoE"
    "YXhpcxgAoAECEgRzdGVwWhwKAXgSFwoVCAESEQoFEgNvbmUKAxIBbgoDEgFjWiQKCHZlbG9jaXR5EhgKFggBEhIKBhIEcm93cwoD"
    "EgFuCgMSAWNaEAoCZHQSCgoICAESBAoCCAFiHwoEbmV4dBIXChUIARIRCgUSA29uZQoDEgFuCgMSAWNiHwoDZmVkEhgKFggBEhIK"
    "BhIEcm93cwoDEgFuCgMSAWNCBAoAEBI="
)
