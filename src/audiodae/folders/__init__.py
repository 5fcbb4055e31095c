"""Folders of sounds cleaned: the tree mirrored, by processes side by side, and continued where it stopped.

A sound is cleaned in a process apart (`audiodae.workers`), even where there is one job: a file that brings a decoder
down ends that process, counts as failed, and the others go on.
"""

from audiodae.folders.clean import FileResult, FolderResult, clean_folder

__all__ = ["FileResult", "FolderResult", "clean_folder"]
