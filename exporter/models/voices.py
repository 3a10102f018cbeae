"""A bank of known sounds, which of them is asked for, and when: what a small flow network expects to hear.

A bell is one of a hundred bells. A network that must name one latent for all of them says their middle, which
is no bell, and one that must spread an event over uncertain moments says a smear. So the bank keeps how some
sounds of every class go on after they begin, played softly and hard. The conditions choose one, say when it
is struck and how hard, and the latent of that is looked up. Published networks have none of this: their
layers learn it, with a thousand times the training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.models.flow_blocks import ChannelsLastConv

BINS = 4
"""Moments of a sync feature at which something may begin: 20 ms each at 25 frames per second and two frames
per feature."""
LEAD = 2
"""Latent positions before an onset that belong to it: a latent looks a little ahead."""
GAINS = (1.0, 0.4, 0.16, 0.05)
"""How hard the bank's sounds are struck; those that sound throughout are driven by `DRIVES`."""
DRIVES = (1.0, 0.7, 0.4, 0.15)
LOUD, FAINT = 0.2, 0.02
"""Shares of a sound's loudest moment, in power above silence: above the first it is loud, down to the second
it fades."""
NOTHING = 0.05
"""Power above silence of a loudest moment that is none."""
THRESHOLD = -0.2
"""Least log odds of an onset. Odds, for likelihoods near 1 are all alike in float32."""
APART = 2
"""Latent positions on either side in which only one onset is."""
SILENT = 0.9
"""Share of "none" above which nothing is heard: who marks a thing wants a sound."""
SEVERAL = 0.3
"""Share of "several" above which a mask is taken for that."""
PREFERRED = 0.25
"""Of several things, one that is struck is heard rather than one that sounds throughout, if it is at least
this likely beside it: it says more of what is seen."""
AGAINST = 8.0
"""How much negative words count, in nepers per neper of how surely they do not mean a class."""
SURE = 0.99
"""Most that negative words are believed."""
FADING = 0.25
"""Energy below that of the softest drive over which a sound that goes on falls silent."""
_INNER, _KERNEL = 96, 5
_DROPPED = 0.2
_NEVER = -100_000.0


@dataclass(frozen=True, slots=True)
class BankDims:
    """Sizes of a bank.

    Attributes:
        classes: of sounds; the first stands for several at once, the last for none.
        kept: classes that have voices, and one row more, of silence, for all others.
        voices: of each class.
        positions: latent positions that a voice goes on for.
    """

    classes: int
    kept: int
    voices: int
    positions: int


class Curves(nn.Module):
    """Sync features to what happens at `BINS` moments of each: onset (logit), energy, strike (log10 gain).

    How loud something is shows beside how much it moves at other times, so the whole pass is looked at too.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.plain = nn.Linear(width, 3 * BINS)
        self.inner = ChannelsLastConv(width, _INNER, _KERNEL)
        self.whole = nn.Linear(2 * _INNER, _INNER)
        self.middle = ChannelsLastConv(_INNER, _INNER, _KERNEL)
        self.more = ChannelsLastConv(_INNER, 3 * BINS, _KERNEL)

    def forward(self, sync: Tensor) -> Tensor:
        """[B, Ts, Ds] to [B, BINS * Ts, 3]."""
        near = F.silu(self.inner(sync))
        near = near + self.whole(torch.cat([near.mean(1), near.amax(1)], -1)).unsqueeze(1)
        around = _thinned(F.silu(self.middle(_thinned(near, self))), self)
        found = self.plain(sync) + self.more(around)
        return found.unflatten(-1, (3, BINS)).transpose(2, 3).flatten(1, 2)


class Voices(nn.Module):
    """The bank, what chooses from it, and what places the chosen sound in time.

    Args:
        width: H of the conditions.
        channels: C of the latent.
        sync_width: Ds.
        dims: of the bank.
    """

    def __init__(self, width: int, channels: int, *, sync_width: int, dims: BankDims) -> None:
        super().__init__()
        self.dims = dims
        efforts = len(GAINS)
        self.bank = _fixed(dims.kept, dims.voices, efforts, dims.positions, channels)
        self.energy = _fixed(dims.kept, dims.voices, efforts)
        self.steady = _fixed(dims.kept)
        self.rows = _fixed(dims.classes)
        self.silence = _fixed(channels)
        self.size = _fixed(2 * channels)
        self.ask = nn.Linear(3 * width, 2 * width)
        self.kind = nn.Linear(2 * width, dims.classes)
        self.named = nn.Linear(width, dims.classes)
        self.seen = nn.Linear(sync_width, dims.classes - 1)
        self.which = nn.Linear(2 * width, dims.classes * dims.voices)
        self.curves = Curves(sync_width)
        self.usual = nn.Parameter(torch.zeros(dims.classes, 2))

    def logits(
        self, sync: Tensor, everywhere: Tensor, words: Tensor, *, features: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Of the classes [B, classes], and of the voices in each [B, classes, voices].

        Args:
            sync: condition of every latent position, [B, N, H].
            everywhere: condition of all of them, [B, H].
            words: condition of every token, [B, L, H].
            features: of the sync encoder, [B, Ts, Ds]: each says what it takes the sound for.
        """
        asked = _thinned(F.silu(self.ask(torch.cat([sync.mean(1), sync.amax(1), everywhere], -1))), self)
        seen = self.seen(features).log_softmax(-1).mean(1)
        kinds = self.kind(asked) + self.named(words.mean(1)) + F.pad(seen, (1, 0))
        return kinds, self.which(asked).unflatten(-1, (self.dims.classes, self.dims.voices))

    def choose(self, kinds: Tensor, voices: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
        """One class [B] and the likeliest of its voices [B].

        Where several things are marked, one of them is heard at all their times. Nothing is heard only where
        that is likelier than any sound.

        Args:
            kinds: of `logits`.
            voices: likewise.
            against: of `unwanted`, [B, classes].
        """
        shares = kinds.softmax(-1)
        silent = (shares[:, -1:] > SILENT).to(kinds.dtype)
        several = (shares[:, :1] > SEVERAL).to(kinds.dtype)
        likely = (kinds + against)[:, 1:-1].softmax(-1)
        steady = self.steady[self.rows[1:-1].long()]
        struck = (likely * (1 - steady)).amax(-1, keepdim=True)
        driven = (likely * steady).amax(-1, keepdim=True)
        preferred = several * (struck > PREFERRED * driven).to(kinds.dtype)
        sounds = (1 - silent) * (1 + likely - preferred * steady)
        kind = torch.cat([sounds, silent], -1).argmax(-1, keepdim=True) + 1
        return kind.squeeze(1), voices.argmax(-1).gather(1, kind).squeeze(1)

    def fitted(self, energy: Tensor, kind: Tensor) -> Tensor:
        """Energy [B, n] as `Curves` says it without knowing the class, for sounds of these classes [B]."""
        usual = self.usual[kind].unsqueeze(-1)
        return energy * (1 + usual[:, 0]) + usual[:, 1]

    def placed(self, kind: Tensor, voice: Tensor, curves: Tensor, *, count: int) -> Tensor:
        """The latent of a voice at the times that the curves say.

        Args:
            kind: [B], of `choose`.
            voice: [B], likewise.
            curves: [B, moments, 3], of `Curves`, evenly over the whole time.
            count: N, latent positions of the same time.

        Returns:
            [B, N, C].
        """
        row = self.rows[kind].long()
        own = self.bank.flatten(0, 1)[row * self.dims.voices + voice]
        energies = self.energy.flatten(0, 1)[row * self.dims.voices + voice]
        steady = self.steady[row].view(-1, 1)
        onset, energy, strike = _spread(curves, count).unbind(-1)
        energy = self.fitted(energy, kind)
        here = torch.arange(count, device=curves.device, dtype=curves.dtype)
        begun = _latest(_peaks(onset), here, reach=self.dims.positions)
        struck = strike.gather(1, begun.clamp(min=0, max=count - 1).long())
        since = here - begun + LEAD
        phase = steady * (here % self.dims.positions) + (1 - steady) * since
        sounding = (steady + (since < self.dims.positions)).clamp(max=1)
        known = steady * energies + (1 - steady) * _gains(energies)
        shares, left = _between(steady * energy + (1 - steady) * struck, known)
        sounding = (sounding * (1 - steady * (1 - left))).unsqueeze(-1)
        spots = phase.clamp(0, self.dims.positions - 1).long().view(-1, 1, count, 1)
        found = own.gather(2, spots.expand(-1, own.shape[1], -1, own.shape[3]))
        return self.silence + sounding * ((found * shares.unsqueeze(-1)).sum(1) - self.silence)

    @torch.no_grad()
    def describe(self, latent: Tensor) -> Tensor:
        """How sounds are when they are loud and when they fade: normalised latents [B, N, C] to [B, 2 C]."""
        above = latent - self.silence
        power = above.square().mean(-1)
        top = power.amax(1, keepdim=True)
        share = power / top.clamp(min=1e-6)
        loud = share.pow(1.5) * (share > LOUD)
        faint = share * ((share > FAINT) & (share <= LOUD))
        parts = [_mean(above, weights) for weights in (loud, faint)]
        return torch.cat(parts, -1) * (top > NOTHING) / self.size.clamp(min=1e-6)


def unwanted(named: Tensor, usual: Tensor) -> Tensor:
    """What negative words say against each class, added to the logits: 0 where they are the usual ones.

    Args:
        named: logits of the classes [B, classes] by those words alone.
        usual: likewise, by no words.
    """
    left, most = (torch.log1p(-SURE * one.softmax(-1)) for one in (named, usual))
    return F.pad(AGAINST * (left - most)[:, 1:-1], (1, 1))


def _thinned(x: Tensor, network: nn.Module) -> Tensor:
    """Some values left out while the network is trained, for it has few sounds to learn from."""
    return F.dropout(x, _DROPPED, training=network.training)


def _gains(like: Tensor) -> Tensor:
    """log10 of `GAINS`, [1, efforts]."""
    return torch.tensor(GAINS, device=like.device, dtype=like.dtype).log10().view(1, -1)


def _spread(curves: Tensor, count: int) -> Tensor:
    """[B, moments, n] to [B, count, n] over the same time, linearly between the middles of moments."""
    moments = curves.shape[1]
    places = (torch.arange(count, device=curves.device, dtype=curves.dtype) + 0.5) * moments / count - 0.5
    places = places.clamp(0, moments - 1)
    first = places.floor()
    share = (places - first).view(1, -1, 1)
    before, after = first.long(), (first + 1).clamp(max=moments - 1).long()
    return curves.index_select(1, before) * (1 - share) + curves.index_select(1, after) * share


def _peaks(likely: Tensor) -> Tensor:
    """1 where log odds [B, N] are above `THRESHOLD` and nothing near is higher, else 0."""
    highest = _highest(F.pad(likely, (APART, APART), value=_NEVER), 2 * APART + 1)
    before = F.pad(likely[:, :-1], (1, 0), value=_NEVER)
    return ((likely >= highest) & (likely > before) & (likely > THRESHOLD)).to(likely.dtype)


def _latest(peaks: Tensor, here: Tensor, *, reach: int) -> Tensor:
    """Of every position the last onset's, [B, N], at most `LEAD` ahead; far below 0 where there is none."""
    begun = peaks * here + (1 - peaks) * _NEVER
    begun = F.pad(begun, (reach - 1, LEAD), value=_NEVER)
    return _highest(begun, reach)[:, LEAD:]


def _highest(values: Tensor, width: int) -> Tensor:
    """Of every `width` values of [B, N] in a row: [B, N - width + 1]. In one dimension torch would fix N."""
    return F.max_pool2d(values[:, None, None], (1, width), 1)[:, 0, 0]


def _between(asked: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of the known efforts that give what is asked for, and how much is left below the softest.

    Args:
        asked: [B, N].
        known: [B, efforts], falling.

    Returns:
        [B, efforts, N], summing to 1; [B, N], 1 at the softest and above, 0 from `FADING` below it.
    """
    asked = asked.unsqueeze(1)
    upper, lower = known[:, :-1].unsqueeze(-1), known[:, 1:].unsqueeze(-1)
    rises = ((asked - lower) / (upper - lower).clamp(min=1e-3)).clamp(0, 1)
    ends = torch.ones_like(rises[:, :1])
    shares = torch.cat([rises, ends], 1) - torch.cat([torch.zeros_like(ends), rises], 1)
    left = ((asked.squeeze(1) - known[:, -1:]) / FADING + 1).clamp(0, 1)
    return shares, left


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """[B, N, C] under weights [B, N], summed to [B, C]; zeros without any weight."""
    return (values * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True).clamp(min=1e-6)


def _fixed(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(*shape), requires_grad=False)
