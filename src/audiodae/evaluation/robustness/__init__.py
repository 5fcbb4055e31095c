"""Robustness: how a network behaves where a test set of noisy speech does not look.

    sentences.py    the voices: recordings of a folder, or synthesised
    sounds.py       what is added: hiss, music, clicks, babble
    voices.py       what becomes of a voice: whisper, child, telephone, room
    conditions.py   the table of conditions, a row each
    measures.py     what scores do not tell: speech kept, onsets, clicks, wobble
    run.py          every condition of every sentence, cleaned and scored
    report.py       means and worst deciles, as tables, JSON and rows for a card
    onsets_plot.py  what is kept in the moments after an onset

Samples are float64, shape (samples,), full scale 1, at 16 kHz where nothing else is said. A level is the root mean
square of the active frames (`audiodae.levels`), so speech at -3 dBFS has peaks beyond full scale: floats may, and no
network should mind. Everything random comes from (seed, condition, number of the sentence).
"""
