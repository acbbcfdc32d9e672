//! The command line as it is typed: the tree of commands, and the arguments that several of them share.
//! Must not do anything: each command reads its own arguments in `commands/`.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::{app, cert, keys, reseal, seal, unseal};

/// Keep Secrets in Git, sealed, and see them arrive in the cluster.
#[derive(Debug, Parser)]
#[command(
    name = "signet",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Seal(seal::Arguments),
    Unseal(unseal::Arguments),
    Reseal(reseal::Arguments),
    #[command(subcommand)]
    Cert(cert::Command),
    #[command(subcommand)]
    Keys(keys::Command),
    #[command(subcommand)]
    App(app::Command),
}

/// Which cluster to talk to, and where in it the controller is.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArguments {
    /// Use this kubeconfig file instead of $KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// Use this context of the kubeconfig instead of the current one
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// Look for the controller in this namespace [default: signet, then where upstream installs]
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) controller_namespace: Option<String>,

    /// Reach the controller through the Service of this name [default: the name that its install gives it]
    #[arg(long, value_name = "NAME")]
    pub(crate) controller_name: Option<String>,
}

/// How objects are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Yaml,
    Json,
}

impl Format {
    /// JSON for a file that ends in `.json`, else YAML.
    pub(crate) fn of_file(path: Option<&Path>) -> Self {
        match path.and_then(Path::extension) {
            Some(extension) if extension == "json" => Self::Json,
            _ => Self::Yaml,
        }
    }
}

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
