"""Tests of the stream that employees' pages listen to."""
