"""Every failure a user can meet: what failed, on which named thing, and what to do about it."""

from __future__ import annotations


class SagafoleyError(Exception):
    """A failure told in words.

    Attributes:
        message: what failed, on which named thing.
        remedy: one imperative sentence.
        detail: what a developer wants to see (library message, path, numbers); may be empty.
    """

    def __init__(self, message: str, *, remedy: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


class UsageError(SagafoleyError):
    """The command line or a settings file asks for something that cannot be."""


class OutputError(SagafoleyError):
    """A result could not be written: folder not writable, disk full, name taken."""


class TimelineError(SagafoleyError):
    """The timeline document cannot be used."""


class UnreadableTimeline(TimelineError):
    """Not a timeline, damaged, or of a newer schema."""


class UnsupportedTiming(TimelineError):
    """A rate or retime that has no exact meaning here."""


class NoSpots(TimelineError):
    """Nothing on the timeline asks for sound."""


class MediaError(SagafoleyError):
    """A picture or matte file cannot be used."""


class MediaMissing(MediaError):
    """The file that a clip refers to is not there."""


class UndecodableMedia(MediaError):
    """The file is there but gives no picture."""


class MatteMismatch(MediaError):
    """The matte does not fit its picture, or marks nothing."""


class SoundUnavailable(SagafoleyError):
    """Nothing can be heard on this machine: no library, no device, or one that refuses."""


class BundleError(SagafoleyError):
    """A model bundle cannot be used."""


class BundleMissing(BundleError):
    """No bundle of that name or at that path."""


class BundleCorrupt(BundleError):
    """A file of the bundle is missing, changed, or outside its folder."""


class BundleTooNew(BundleError):
    """The bundle's schema is newer than this version knows."""


class DownloadFailed(BundleError):
    """A file could not be fetched or did not verify."""


class LicenceNotAccepted(BundleError):
    """The weights' licence was not accepted."""


class EngineError(SagafoleyError):
    """The model could not be run, or gave something that is not sound."""


class ProviderUnavailable(EngineError):
    """The asked-for execution provider cannot be used on this machine."""


class OutOfMemory(EngineError):
    """The provider ran out of memory."""


class UnexpectedOutput(EngineError):
    """NaN, infinity, or silence where sound was due."""


class MaskError(SagafoleyError):
    """A mask could not be made, saved or read."""


class BadPrompt(MaskError):
    """What was drawn cannot mean an object in that frame, or no object is found under it."""


class UnreadablePrompts(MaskError):
    """A prompts document that is damaged, of another film, or of a newer version."""


class HostError(SagafoleyError):
    """The program that holds the timeline refused or is not there."""


class HostNotRunning(HostError):
    """The host program does not answer."""


class HostRefused(HostError):
    """The host program answered no."""


class HostTooOld(HostError):
    """The host program's version lacks what is needed."""


class Cancelled(Exception):
    """The user asked to stop. Not an error: nothing is wrong and nothing is lost."""
