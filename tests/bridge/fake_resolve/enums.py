"""The constants on the live `resolve` object. They are floats, and nothing else is taken in their place."""
# ruff: noqa: SIM905

from __future__ import annotations

_EXPORTS = (
    "EXPORT_AAF EXPORT_DRT EXPORT_EDL EXPORT_FCP_7_XML EXPORT_FCPXML_1_8 EXPORT_FCPXML_1_9 "
    "EXPORT_FCPXML_1_10 EXPORT_HDR_10_PROFILE_A EXPORT_HDR_10_PROFILE_B EXPORT_TEXT_CSV EXPORT_TEXT_TAB "
    "EXPORT_DOLBY_VISION_VER_2_9 EXPORT_DOLBY_VISION_VER_4_0 EXPORT_DOLBY_VISION_VER_5_1 EXPORT_OTIO "
    "EXPORT_ALE EXPORT_ALE_CDL"
).split()
_SUBTYPES = (
    "EXPORT_NONE EXPORT_AAF_NEW EXPORT_AAF_EXISTING EXPORT_CDL EXPORT_SDL EXPORT_MISSING_CLIPS"
).split()

ENUMS: dict[str, float] = {
    **{name: float(number) for number, name in enumerate(_EXPORTS)},
    **{name: float(number) for number, name in enumerate(_SUBTYPES)},
}
"""Name -> value; types and subtypes are counted apart, so their values meet."""
