"""The dashboard's templates; a package so that they travel with an installed copy."""
