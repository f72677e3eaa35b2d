"""Pages as they stand: the projection of the `page` streams, and what else paging keeps."""
