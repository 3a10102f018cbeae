"""Words that the editor shows in the language of its menus; scripts that compare them are wrong."""

from __future__ import annotations

_WORDS: dict[str, dict[str, str]] = {
    "pt": {
        "Ready": "Pronto",
        "Rendering": "Renderizando",
        "Complete": "Concluído",
        "Cancelled": "Cancelado",
        "Failed": "Falhou",
        "Render failed": "A renderização falhou",
        "Video": "Vídeo",
        "Audio": "Áudio",
        "Video + Audio": "Vídeo + Áudio",
        "Still": "Imagem",
        "Timeline": "Linha de tempo",
        "Compound": "Composto",
    },
    "ru": {
        "Ready": "Готово к запуску",
        "Rendering": "Рендеринг",
        "Complete": "Завершено",
        "Cancelled": "Отменено",
        "Failed": "Ошибка",
        "Render failed": "Сбой рендеринга",
        "Video": "Видео",
        "Audio": "Аудио",
        "Video + Audio": "Видео + аудио",
        "Still": "Кадр",
        "Timeline": "Таймлайн",
        "Compound": "Составной",
    },
    "ja": {
        "Ready": "準備完了",
        "Rendering": "レンダリング中",
        "Complete": "完了",
        "Cancelled": "キャンセル",
        "Failed": "失敗",
        "Render failed": "レンダリングに失敗しました",
        "Video": "ビデオ",
        "Audio": "オーディオ",
        "Video + Audio": "ビデオ + オーディオ",
        "Still": "静止画",
        "Timeline": "タイムライン",
        "Compound": "複合クリップ",
    },
}


def word(english: str, language: str) -> str:
    """The word as the menus have it; English for what has no other.

    Raises:
        KeyError: the menus do not exist in that language, so a test that asks for it would test nothing.
    """
    return english if language == "en" else _WORDS[language].get(english, english)
