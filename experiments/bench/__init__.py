"""Programs that measure what the library costs."""
