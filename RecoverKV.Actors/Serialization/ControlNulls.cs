using System.Collections.Frozen;
using System.Reflection;

namespace RecoverKV.Actors.Serialization;

/// <summary>
/// Looks for nulls where the types of a closed list allow none: Hyperion writes the fields of an object beside its
/// constructor, so that bytes decide what is null. Thread-safe.
/// </summary>
internal sealed class ControlNulls
{
    private readonly FrozenDictionary<Type, FieldInfo[]> _fields;

    /// <param name="types">All types but texts and numbers.</param>
    public ControlNulls(IReadOnlyCollection<Type> types)
    {
        var nullability = new NullabilityInfoContext();
        _fields = types.Where(t => !t.IsArray).ToFrozenDictionary(type => type, type => FieldsOf(type)
            .Where(f => MayHoldNull(f.FieldType))
            .Where(f => f.FieldType.IsValueType || nullability.Create(f).ReadState == NullabilityState.NotNull)
            .ToArray());
    }

    /// <summary>Whether a null stands in it, or in what it is made of, where none may be.</summary>
    public bool IsIn(object? o) => o switch
    {
        null => true,
        Array array when MayHoldNull(array.GetType().GetElementType()!) => array.Cast<object?>().Any(IsIn),
        _ => _fields.TryGetValue(o.GetType(), out var fields) && fields.Any(f => IsIn(f.GetValue(o))),
    };

    /// <summary>References, and structs with references in them.</summary>
    private static bool MayHoldNull(Type type) =>
        !type.IsValueType || !type.IsPrimitive && FieldsOf(type).Any(f => MayHoldNull(f.FieldType));

    private static IEnumerable<FieldInfo> FieldsOf(Type? type) => type is null
        ? []
        : type
            .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Concat(FieldsOf(type.BaseType));
}
