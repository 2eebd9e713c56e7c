"""Runware: the paid service that KlingAI's models are bought through."""

from __future__ import annotations
