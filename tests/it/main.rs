//! The integration tests, one binary, a module for each boundary.

mod generator;
