//! Secret and SealedSecret as Go's types describe them: names, order, and which fields go unsaid when empty.
//! Must not read or write anything: `typed` does, by these tables.

/// What a field holds, with the name that Go has for it where messages show it.
#[derive(Debug)]
pub(super) enum Type {
    Text(&'static str),
    Bool,
    Int,
    /// Bytes, written as base64.
    Bytes,
    /// RFC 3339, written in UTC with whole seconds.
    Time,
    Map(&'static Type, &'static str),
    /// Text by key, where null is a value of its own.
    NullableTexts,
    /// Text by key, where everything else counts as the empty text.
    LenientTexts,
    List(&'static Type, &'static str),
    Struct(&'static Struct),
    /// A struct that may be absent.
    Optional(&'static Struct),
    /// Kept as it is.
    Any,
}

#[derive(Debug)]
pub(super) struct Struct {
    /// Its name, and with its package.
    pub(super) name: &'static str,
    pub(super) full_name: &'static str,
    pub(super) fields: &'static [Field],
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) type_: Type,
    pub(super) when_empty: WhenEmpty,
    /// The struct that Go embeds this field by: messages name it, and values are not coerced into it.
    pub(super) embedded_in: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenEmpty {
    Unsaid,
    Said,
}

const fn field(name: &'static str, type_: Type) -> Field {
    Field {
        name,
        type_,
        when_empty: WhenEmpty::Unsaid,
        embedded_in: None,
    }
}

const fn said(name: &'static str, type_: Type) -> Field {
    Field {
        when_empty: WhenEmpty::Said,
        ..field(name, type_)
    }
}

const fn type_meta(name: &'static str) -> Field {
    Field {
        embedded_in: Some("TypeMeta"),
        ..field(name, STRING)
    }
}

const STRING: Type = Type::Text("string");
const TEXTS: Type = Type::Map(&STRING, "map[string]string");

static OWNER_REFERENCE: Struct = Struct {
    name: "OwnerReference",
    full_name: "v1.OwnerReference",
    fields: &[
        said("apiVersion", STRING),
        said("kind", STRING),
        said("name", STRING),
        said("uid", Type::Text("types.UID")),
        field("controller", Type::Bool),
        field("blockOwnerDeletion", Type::Bool),
    ],
};

static MANAGED_FIELDS: Struct = Struct {
    name: "ManagedFieldsEntry",
    full_name: "v1.ManagedFieldsEntry",
    fields: &[
        field("manager", STRING),
        field("operation", Type::Text("v1.ManagedFieldsOperationType")),
        field("apiVersion", STRING),
        field("time", Type::Time),
        field("fieldsType", STRING),
        field("fieldsV1", Type::Any),
        field("subresource", STRING),
    ],
};

pub(super) static OBJECT_META: Struct = Struct {
    name: "ObjectMeta",
    full_name: "v1.ObjectMeta",
    fields: &[
        field("name", STRING),
        field("generateName", STRING),
        field("namespace", STRING),
        field("selfLink", STRING),
        field("uid", Type::Text("types.UID")),
        field("resourceVersion", STRING),
        field("generation", Type::Int),
        field("creationTimestamp", Type::Time),
        field("deletionTimestamp", Type::Time),
        field("deletionGracePeriodSeconds", Type::Int),
        field("labels", TEXTS),
        field("annotations", TEXTS),
        field(
            "ownerReferences",
            Type::List(&Type::Struct(&OWNER_REFERENCE), "[]v1.OwnerReference"),
        ),
        field("finalizers", Type::List(&STRING, "[]string")),
        field(
            "managedFields",
            Type::List(&Type::Struct(&MANAGED_FIELDS), "[]v1.ManagedFieldsEntry"),
        ),
    ],
};

/// A Secret. `stringData` stands where Go has it, though no output of ours holds it.
pub(super) static SECRET: Struct = Struct {
    name: "Secret",
    full_name: "v1.Secret",
    fields: &[
        type_meta("kind"),
        type_meta("apiVersion"),
        said("metadata", Type::Struct(&OBJECT_META)),
        field("immutable", Type::Bool),
        field("data", Type::Map(&Type::Bytes, "map[string][]uint8")),
        field("stringData", TEXTS),
        field("type", Type::Text("v1.SecretType")),
    ],
};

static TEMPLATE: Struct = Struct {
    name: "SecretTemplateSpec",
    full_name: "v1alpha1.SecretTemplateSpec",
    fields: &[
        said("metadata", Type::Struct(&OBJECT_META)),
        field("type", Type::Text("v1.SecretType")),
        field("immutable", Type::Bool),
        field("data", Type::NullableTexts),
    ],
};

static SEALED_SECRET_SPEC: Struct = Struct {
    name: "SealedSecretSpec",
    full_name: "v1alpha1.SealedSecretSpec",
    fields: &[
        said("template", Type::Struct(&TEMPLATE)),
        field("data", Type::Bytes),
        said("encryptedData", Type::LenientTexts),
    ],
};

static CONDITION: Struct = Struct {
    name: "SealedSecretCondition",
    full_name: "v1alpha1.SealedSecretCondition",
    fields: &[
        said("type", Type::Text("v1alpha1.SealedSecretConditionType")),
        said("status", Type::Text("v1.ConditionStatus")),
        field("lastUpdateTime", Type::Time),
        field("lastTransitionTime", Type::Time),
        field("reason", STRING),
        field("message", STRING),
    ],
};

static STATUS: Struct = Struct {
    name: "SealedSecretStatus",
    full_name: "v1alpha1.SealedSecretStatus",
    fields: &[
        field("observedGeneration", Type::Int),
        field(
            "conditions",
            Type::List(
                &Type::Struct(&CONDITION),
                "[]v1alpha1.SealedSecretCondition",
            ),
        ),
    ],
};

pub(super) static SEALED_SECRET: Struct = Struct {
    name: "SealedSecret",
    full_name: "v1alpha1.SealedSecret",
    fields: &[
        type_meta("kind"),
        type_meta("apiVersion"),
        said("metadata", Type::Struct(&OBJECT_META)),
        said("spec", Type::Struct(&SEALED_SECRET_SPEC)),
        field("status", Type::Optional(&STATUS)),
    ],
};
