using Google.Protobuf.Reflection;
using RecoverKV.Host.Grpc.Wire;

namespace RecoverKV.Host.Grpc;

/// <summary>The interface with the original's types, for those who ask by reflection: they would otherwise write keys
/// and values as Base64, as JSON has bytes.</summary>
internal static class StringTypes
{
    /// <summary>The service, its bytes as strings.</summary>
    public static ServiceDescriptor Describe()
    {
        var file = OriginalReflection.Descriptor.ToProto();
        foreach (var field in file.MessageType.SelectMany(m => m.Field))
        {
            if (field.Type == FieldDescriptorProto.Types.Type.Bytes)
                field.Type = FieldDescriptorProto.Types.Type.String;
        }

        return FileDescriptor.BuildFromByteStrings(
            [Google.Protobuf.MessageExtensions.ToByteString(file)])[0].Services[0];
    }
}
