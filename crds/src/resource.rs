//! What makes the types Kubernetes resources: names for clients, and `apiVersion` and `kind` on the wire.
//! It must not hold behaviour of its own.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{Metadata, NamespaceResourceScope, Resource};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::{AppProject, Application, SealedSecret, names};

macro_rules! resource {
    ($type:ident, $names:ident, optional: [$($optional:ident),*]) => {
        impl Resource for $type {
            const API_VERSION: &'static str = names::$names::API_VERSION;
            const GROUP: &'static str = names::$names::GROUP;
            const KIND: &'static str = names::$names::KIND;
            const VERSION: &'static str = names::$names::VERSION;
            const URL_PATH_SEGMENT: &'static str = names::$names::PLURAL;
            type Scope = NamespaceResourceScope;
        }

        impl Metadata for $type {
            type Ty = ObjectMeta;

            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let optional = 0 $(+ usize::from(self.$optional.is_some()))*;
                let mut object = serializer.serialize_struct(Self::KIND, 4 + optional)?;
                object.serialize_field("apiVersion", Self::API_VERSION)?;
                object.serialize_field("kind", Self::KIND)?;
                object.serialize_field("metadata", &self.metadata)?;
                object.serialize_field("spec", &self.spec)?;
                $(if let Some(value) = &self.$optional {
                    object.serialize_field(stringify!($optional), value)?;
                })*
                object.end()
            }
        }
    };
}

resource!(SealedSecret, sealed_secret, optional: [status]);
resource!(Application, application, optional: [operation, status]);
resource!(AppProject, app_project, optional: [status]);
