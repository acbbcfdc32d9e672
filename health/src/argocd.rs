//! How Argo CD and Helm spell what health depends on. No other file here spells it, and this one decides nothing.

/// The ConfigMap with Argo CD's settings.
pub const SETTINGS_CONFIG_MAP: &str = "argocd-cm";
/// The key with customizations of all kinds in one YAML map, whose keys may be wildcards.
pub(crate) const CUSTOMIZATIONS: &str = "resource.customizations";
/// Key of one kind's script: this, then `<group>_<Kind>`.
pub(crate) const HEALTH: &str = "resource.customizations.health.";
/// Key that opens more libraries to one kind's script, likewise.
pub(crate) const USE_OPEN_LIBS: &str = "resource.customizations.useOpenLibs.";
/// The script in an entry of [`CUSTOMIZATIONS`].
pub(crate) const HEALTH_LUA: &str = "health.lua";
/// Opens more libraries to it.
pub(crate) const HEALTH_LUA_USE_OPEN_LIBS: &str = "health.lua.useOpenLibs";

/// Keeps a hook until its work is done.
pub(crate) const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";
/// `"true"` judges a Pod as if it always restarted.
pub(crate) const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";
/// Make an object a hook.
pub(crate) const HOOKS: [&str; 2] = ["argocd.argoproj.io/hook", "helm.sh/hook"];
/// Said in place of a status that is none of the six.
pub(crate) const INVALID_STATUS: &str = "Lua returned an invalid health status";
