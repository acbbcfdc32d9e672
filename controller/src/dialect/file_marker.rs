//! How Argo CD's users mark a file of a directory that is no manifest. It reads no file: `render/` does.

/// A YAML file that contains this text is left out.
pub const SKIP_FILE: &str = "+argocd:skip-file-rendering";
