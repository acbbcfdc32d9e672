//! What can be set about rendering: the programs that do it, and what kustomizations may hold.

use std::path::PathBuf;

use clap::Args;

use super::go;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rendering")]
pub struct Render {
    /// Kustomize 5, by its path or by its name in PATH
    #[arg(
        long,
        env = "SIGNET_KUSTOMIZE_PROGRAM",
        value_name = "PROGRAM",
        default_value = "kustomize"
    )]
    pub kustomize_program: PathBuf,

    /// Helm 3, by its path or by its name in PATH
    #[arg(
        long,
        env = "SIGNET_HELM_PROGRAM",
        value_name = "PROGRAM",
        default_value = "helm"
    )]
    pub helm_program: PathBuf,

    /// Let kustomizations inflate charts that lie in their repository
    #[arg(long, env = "SIGNET_KUSTOMIZE_ENABLE_HELM", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub kustomize_enable_helm: bool,

    /// Let kustomizations have bases in other Git repositories, those that the project of the Application permits
    #[arg(long, env = "SIGNET_KUSTOMIZE_ENABLE_REMOTE_BASES", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub kustomize_enable_remote_bases: bool,
}
