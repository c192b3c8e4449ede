using System.Reflection;
using System.Runtime.CompilerServices;
using RecoverKV.Actors.State;
using RecoverKV.Client;
using RecoverKV.Client.Contracts;
using RecoverKV.Simulation;
using Version = RecoverKV.Client.Contracts.Version;

namespace RecoverKV.Fuzz;

/// <summary>Makes objects of any type of the contracts, by their constructors: a new message is fuzzed without a word
/// here. Not thread-safe.</summary>
internal sealed class Arbitrary(Prng random)
{
    [ThreadStatic]
    private static NullabilityInfoContext? _context;

    private readonly NullabilityInfoContext _nullability = _context ??= new();

    public object Of(Type type) => Of(type, null)!;

    private object? Of(Type type, NullabilityInfo? info)
    {
        if (info?.ReadState == NullabilityState.Nullable && random.Chance(0.3)) return null;
        if (Nullable.GetUnderlyingType(type) is { } inner) type = inner;
        if (type.IsEnum) return random.Pick(Enum.GetValues(type).Cast<object>().ToList());
        if (type.IsArray) return Many(type.GetElementType()!, info?.ElementType);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
            return Many(type.GenericTypeArguments[0], info?.GenericTypeArguments[0]);
        if (type == typeof(long)) return Number();
        if (type == typeof(int)) return (int)Number();
        if (type == typeof(bool)) return random.Chance(0.5);
        if (type == typeof(string)) return random.OneOf("", "node1", "four", "10.0.0.1", "Ä✓", new string('x', 300));
        if (type == typeof(Guid)) return random.Chance(0.2) ? Guid.Empty : random.Guid();
        if (type == typeof(TimeSpan)) return TimeSpan.FromTicks(Number());
        if (type == typeof(ReadOnlyMemory<byte>)) return new ReadOnlyMemory<byte>(Bytes());
        if (type == typeof(Key)) return new Key(Bytes());
        if (type == typeof(WriteRequest))
            return WriteRequestCodec.Create(
                Number(), Number(), Number(), (WriteOperation[])Many(typeof(WriteOperation), null));
        if (type == typeof(ulong)) return (ulong)Number();
        if (type == typeof(StatePart)) return Part();
        // No version has uid 0: it stands for none.
        var made = Made(type);
        return made is Version { Uid: 0 } none ? none with { Uid = 1 } : made;
    }

    // What goes to a peer has nothing that is gone.
    private StatePart Part()
    {
        var part = new StatePart();
        part.Keys.AddRange((KeyRecord[])Many(typeof(KeyRecord), null));
        part.Sessions.AddRange((SessionRecord[])Many(typeof(SessionRecord), null));
        return part;
    }

    private object Made(Type type)
    {
        var constructor = type.GetConstructors().MaxBy(c => c.GetParameters().Length);
        var made = constructor is null
            ? RuntimeHelpers.GetUninitializedObject(type)
            : constructor.Invoke(
                [.. constructor.GetParameters().Select(p => Of(p.ParameterType, _nullability.Create(p)))]);
        if (constructor?.GetParameters().Length > 0) return made;
        foreach (var property in type.GetProperties().Where(p => p.CanWrite))
            property.SetValue(made, Of(property.PropertyType, _nullability.Create(property)));
        return made;
    }

    private Array Many(Type element, NullabilityInfo? info)
    {
        var array = Array.CreateInstance(element, random.OneOf(0, 1, 1, 2, 4));
        for (var i = 0; i < array.Length; i++) array.SetValue(Of(element, info), i);
        return array;
    }

    private long Number() =>
        random.OneOf(0, 1, random.Below(300), random.Below(int.MaxValue), (long)random.Next(), long.MaxValue);

    private byte[] Bytes()
    {
        var bytes = new byte[random.OneOf(0, 1, 10, random.Below(300))];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)random.Next();
        return bytes;
    }
}
